import re
from pathlib import Path

import pytest
from conftest import PROJECT

from u2u_hf.publishing.deploy import DeploySettings
from u2u_hf.publishing.space_settings import SpaceVariables, from_environment, secret_sources, variables
from u2u_hf.records import U2UError


def test_the_variables_of_a_space():
    given = {"MODEL_ID": " ana/ears ", "MODEL_REVISION": "v2", "MAX_MINUTES": "7.5"}
    assert from_environment(given) == SpaceVariables(model="ana/ears", revision="v2", max_minutes=7.5)
    assert from_environment({}, "ana/ears").model == "ana/ears"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "MODEL_ID is not set"),
        ({"MODEL_ID": "ears"}, "MODEL_ID is 'ears': it must be OWNER/NAME"),
        ({"MODEL_ID": "ana/ears", "MAX_MINUTES": "long"}, "MAX_MINUTES is 'long': it must be a number above 0"),
        ({"MODEL_ID": "ana/ears", "MAX_FILE_MB": "0"}, "MAX_FILE_MB is '0'"),
        ({"MODEL_ID": "ana/ears", "MAX_FILE_MB": "nan"}, "MAX_FILE_MB is 'nan'"),
    ],
)
def test_a_wrong_variable_is_named(given, message):
    with pytest.raises(U2UError, match=message):
        from_environment(given)


def test_the_page_reads_what_deploy_writes():
    settings = DeploySettings(model="ana/ears", space="ana/page", revision="v2", max_minutes=7.5, password_from="WORD")
    written = variables(settings)
    assert written == {"MODEL_ID": "ana/ears", "MODEL_REVISION": "v2", "MAX_MINUTES": "7.5", "MAX_FILE_MB": "1000"}
    assert from_environment(written) == SpaceVariables(model="ana/ears", revision="v2", max_minutes=7.5)
    assert secret_sources(settings) == {"APP_PASSWORD": "WORD"}


def test_the_readme_of_the_page_has_them_all():
    listed = re.findall(
        r"^\| `(\w+)` \|", Path(PROJECT, "spaces/transcribe/README.md").read_text(encoding="utf-8"), re.M
    )
    every = DeploySettings(model="a/b", space="a/c", revision="v", token_from="T", password_from="P")
    assert listed == [*variables(every), *secret_sources(every)]
