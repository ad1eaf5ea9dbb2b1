"""Which passwords are taken: long enough, not a common one, not one's own name. Source: OWASP ASVS 6.2."""

from rules.errors import RuleError

SHORTEST, ADVISED, LONGEST = 8, 15, 256
COMMON = frozenset(
    "password password1 password12 password123 password1234 passw0rd p@ssword p@ssw0rd passwort passwort1 12345678"
    " 123456789 1234567890 12345678910 123123123 11111111 00000000 22222222 88888888 99999999 87654321 987654321"
    " 1q2w3e4r 1q2w3e4r5t 1qaz2wsx qazwsxedc qwertyui qwertyuiop qwerty123 qwerty12 qwertz123 qwertzui qwertzuiop"
    " asdfghjk asdfghjkl asdf1234 zxcvbnm1 zaq12wsx abcd1234 abc12345 abcdefgh abcdefg1 a1b2c3d4 iloveyou iloveyou1"
    " sunshine sunshine1 princess princess1 football football1 baseball baseball1 basketball superman superman1"
    " batman123 starwars starwars1 whatever whatever1 trustno1 dragon123 monkey123 letmein1 letmein123 welcome1"
    " welcome123 welcome12 willkommen admin123 admin1234 administrator changeme changeme1 changeme123 default1"
    " master123 michael1 jennifer jordan23 computer computer1 internet internet1 samsung1 liverpool liverpool1"
    " arsenal1 chelsea1 charlie1 midnight mercedes corvette maverick butterfly chocolate cookie123 elephant"
    " strawberry blink182 metallica slipknot pokemon1 nintendo playstation facebook google123 summer2024 summer2025"
    " summer2026 winter2024 winter2025 winter2026 spring2026 autumn2026 sommer2026 herbst2026 hospital hospital1"
    " incident incidentdesk servicedesk helpdesk1 password! password1! hallo123 hallo1234 schalke04 bayern123 berlin123"
    " freedom1 hunter22 access14 secret123 test1234 testtest testing1 testing123 temp1234 temporary guest123 login123"
    " qwerty1234 1234qwer q1w2e3r4 1qazxsw2 !qaz2wsx asdasdasd qweqweqwe aaaaaaaa abababab 12341234 11223344 12121212"
    " 13131313 69696969 77777777 66666666 55555555 44444444 33333333 147258369 123654789 789456123 159753456".split()
)


def check(password: str, *own: str | None) -> None:
    """RuleError with a sentence that says how to choose better. `own`: name, e-mail and the like of the person."""
    if len(password) < SHORTEST:
        raise RuleError(
            f"Use {SHORTEST} characters or more; {ADVISED} are better. Four words that you remember will do.",
            field="password",
        )
    if len(password) > LONGEST:
        raise RuleError(f"Use {LONGEST} characters or fewer.", field="password")
    plain = password.casefold()
    if plain in COMMON or len(set(plain)) < 4:
        raise RuleError(
            "This is one of the first that others would try. Four words that you remember will do.", field="password"
        )
    for word in own:
        for part in (word or "").casefold().replace("@", " ").split():
            if len(part) > 3 and plain.strip("0123456789!.") == part:
                raise RuleError("Do not use your own name or address. Four other words will do.", field="password")
