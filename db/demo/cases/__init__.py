"""The kinds of incidents that the sample data is made of."""

from db.demo.cases import clinical, platform, workplace
from db.demo.cases.case import Case, split

CASES: tuple[Case, ...] = (*workplace.CASES, *clinical.CASES, *platform.CASES)

__all__ = ["CASES", "Case", "split"]
