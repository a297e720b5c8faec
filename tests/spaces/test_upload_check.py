import numpy as np
import pytest
import soundfile
from upload_check import check_upload

from u2u_hf.publishing.space_settings import SpaceVariables
from u2u_hf.records import U2UError


def test_only_so_much_is_let_in(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((16_000 * 3, 2)), 16_000)
    assert check_upload(str(path), SpaceVariables(model="m")).channels == 2
    with pytest.raises(U2UError, match=r"a\.wav: is 0\.1 minutes long; the limit is 0\.01: split it"):
        check_upload(str(path), SpaceVariables(model="m", max_minutes=0.01))
    with pytest.raises(U2UError, match=r"a.wav: has 0 MB; the limit is 0.1: split"):
        check_upload(str(path), SpaceVariables(model="m", max_file_mb=0.1))
    soundfile.write(path, np.zeros((1600, 9)), 16_000)
    with pytest.raises(U2UError, match=r"a\.wav: has 9 channels; the limit is 8"):
        check_upload(str(path), SpaceVariables(model="m"))
    path.write_bytes(b"RIFF")
    with pytest.raises(U2UError, match=r"a\.wav: not a sound file"):
        check_upload(str(path), SpaceVariables(model="m"))
