"""A chart in a card: its title, its definition, and the same as a table one click away."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.parts.texts import literal


def draw(
    title: str,
    definition: str,
    spec: Callable[[], dict[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    *,
    says: str,
    key: str,
    columns: Mapping[str, str],
) -> None:
    """Draw `rows` by one of the specifications of pages.parts.charts.

    `says` is the chart's conclusion, for those who do not see it. `columns`: field -> heading of the table.
    """
    table = pd.DataFrame(rows)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{literal(title)}**", width="stretch")
            shown = st.popover("Table", type="tertiary", on_change="rerun", key=f"{key}.table")
        st.caption(literal(definition))
        st.vega_lite_chart(table, spec(), theme="streamlit", key=key, alt=says)
        if shown.open:
            with shown:
                named = table[list(columns)].rename(columns=dict(columns))
                st.dataframe(named, hide_index=True, alt=f"{title}: {says}")
