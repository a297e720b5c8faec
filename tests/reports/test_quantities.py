from u2u_hf.reports.quantities import elan_time, length


def test_times_are_written_as_in_elan():
    assert elan_time(3_723_004) == "01:02:03.004"
    assert elan_time(-1500) == "-00:00:01.500"


def test_lengths_have_their_unit():
    assert (length(0.5), length(2.25)) == ("30.0 min", "2.2 h")
