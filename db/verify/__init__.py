"""Checking what is recorded: the chains over it, and what must hold between the rows. Nothing here writes."""
