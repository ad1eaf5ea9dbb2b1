"""Which files are taken: by their content, not by what they call themselves."""

import re
import unicodedata
from collections.abc import Sequence

from rules.errors import RuleError

MAX_BYTES = 10 * 1024 * 1024
MAX_FILES = 5
EXTENSIONS = ("png", "jpg", "jpeg", "gif", "webp", "heic", "pdf", "txt", "log", "csv", "docx", "xlsx", "pptx", "zip")
_MAGIC: tuple[tuple[bytes, int, str, frozenset[str]], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png", frozenset({"png"})),
    (b"\xff\xd8\xff", 0, "image/jpeg", frozenset({"jpg", "jpeg"})),
    (b"GIF8", 0, "image/gif", frozenset({"gif"})),
    (b"WEBP", 8, "image/webp", frozenset({"webp"})),
    (b"ftyphei", 4, "image/heic", frozenset({"heic"})),
    (b"ftypmif1", 4, "image/heic", frozenset({"heic"})),
    (b"%PDF-", 0, "application/pdf", frozenset({"pdf"})),
    (b"PK\x03\x04", 0, "application/zip", frozenset({"zip", "docx", "xlsx", "pptx"})),
)
_OFFICE = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_TEXT = {"txt": "text/plain", "log": "text/plain", "csv": "text/csv"}


def media_type(name: str, content: bytes) -> str:
    """The media type by content; RuleError when it is empty, too large, of another kind, or not what its name says."""
    if not content:
        raise RuleError(f"'{checked_name(name)}' is empty. Choose another file.", field="files")
    if len(content) > MAX_BYTES:
        raise RuleError(
            f"'{checked_name(name)}' has {len(content) / 1_048_576:.1f} MB; "
            f"files may have {MAX_BYTES // 1_048_576} MB.",
            field="files",
        )
    extension = name.rpartition(".")[2].lower()
    for magic, offset, kind, extensions in _MAGIC:
        if content[offset : offset + len(magic)] == magic:
            if extension not in extensions:
                break
            return _OFFICE.get(extension, kind)
    else:
        if extension in _TEXT and _is_text(content):
            return _TEXT[extension]
    raise RuleError(
        f"'{checked_name(name)}' is not a picture, PDF, text, Office or ZIP file, or its name says otherwise. "
        "Save it as one of these and add it again.",
        field="files",
    )


def check_all(files: Sequence[tuple[str, bytes]]) -> None:
    """RuleError with every reason why these files, each a name and its content, are not taken together."""
    wrong = []
    if len(files) > MAX_FILES:
        wrong.append(f"Choose at most {MAX_FILES} files; there are {len(files)}.")
    for name, content in files:
        try:
            media_type(name, content)
        except RuleError as error:
            wrong.append(error.sentence)
    if wrong:
        raise RuleError(" ".join(wrong), field="files")


def _is_text(content: bytes) -> bool:
    if b"\x00" in content:
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return not any(byte < 9 for byte in content[:4096])
    return True


def checked_name(name: str) -> str:
    """The file's own name without folders and control characters, at most 120 characters."""
    last = re.split(r"[\\/]", name)[-1]
    kept = "".join(
        character for character in unicodedata.normalize("NFC", last) if unicodedata.category(character)[0] != "C"
    )
    return kept.strip(" .")[-120:] or "file"
