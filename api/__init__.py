"""What answers beside the screens: the API, files, feeds, and pages that need no scripts."""

from starlette.convertors import IntegerConvertor, register_url_convertor

_DIGITS = 20
"""No id is as long."""


class _Id(IntegerConvertor):
    """The number of something; one that is longer than any there is, and than Python reads, is cut short."""

    def convert(self, value: str) -> int:
        return int(value[:_DIGITS])


register_url_convertor("id", _Id())
