"""Trends."""

import streamlit as st

from pages.parts import session

session.require("trends")
st.title("Trends")
