"""What a time budget counts."""

import gc
import threading

from u2u_hf.training.awake_clock import AwakeClock


def test_sleep_is_not_counted():
    now = [1000.0]
    clock = AwakeClock(lambda: now[0])
    now[0] += 15  # a busy computer
    assert clock() == 1015
    now[0] += 8 * 3600  # the night
    assert clock() == 1016
    now[0] += 15
    assert clock() == 1031
    assert clock.slept == 8 * 3600 - 1


def test_the_thread_of_a_clock_that_nobody_has_ends():
    before = set(threading.enumerate())
    clock = AwakeClock(lambda: 0.0)
    (thread,) = set(threading.enumerate()) - before
    del clock
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()
