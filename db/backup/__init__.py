"""One file that holds everything, made while the app runs, and put back into an empty database of either kind."""
