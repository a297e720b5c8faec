import dataclasses

from u2u_hf import cli
from u2u_hf.settings import as_flags, setting


@dataclasses.dataclass
class Arguments:
    names: list[str] = setting([], help="names")
    rate: float = setting(1e-4, help="rate")
    loud: bool = setting(False, help="loud")
    half: bool | None = setting(None, help="half")
    folder: str = setting("", help="folder")


def test_flags_are_read_back_as_the_settings_they_were_made_of(tmp_path):
    given = Arguments(names=["a b", "-"], rate=1e-9, loud=True, half=False, folder=str(tmp_path))
    assert cli.parse(Arguments, argv=as_flags(given)) == (given,)
    assert as_flags(Arguments()) == []
    assert as_flags(given, but=("names", "rate", "folder")) == ["--loud", "--no_half"]
