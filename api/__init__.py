"""What answers beside the screens: the API, files, feeds, and pages that need no scripts."""

from starlette.convertors import IntegerConvertor, register_url_convertor


class _Id(IntegerConvertor):
    """An id as a database may have it; longer numbers are no address of ours, and none that Python would read."""

    regex = "[0-9]{1,18}"


register_url_convertor("id", _Id())
