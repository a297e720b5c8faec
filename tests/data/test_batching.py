import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from u2u_hf.data.batching import DurationBatches, cost


def test_what_a_batch_costs():
    # 3 utterances padded to 10 s are 30 s; a tenth and a half for attention: 10/60 of it more.
    assert cost(3, 10) == 35
    assert cost(1, 60) == 120


def test_batches_by_hand():
    # With the 10.5 % that shaking may add, 1 s counts 1.105·(1 + 1.105/60) = 1.126 and 8 s counts 8.842·1.147 = 10.14.
    batches = list(DurationBatches([8, 1, 1, 8, 1, 1, 8, 1], limit=21))
    # In order of duration: five short ones cost 5.6; with a sixth, of 8 s, 60.8. Then two of 8 s (20.3), and the third.
    assert sorted(map(len, batches)) == [1, 2, 5]
    assert {1, 2, 4, 5, 7} in map(set, batches)


def test_the_largest_batches_by_hand():
    # As above: five of 1 s, one of which may be as long as 1.105 s; two of 8 s, and one. None is longer than 8 s.
    batches = DurationBatches([8, 1, 1, 8, 1, 1, 8, 1], limit=21)
    assert batches.largest() == [(2, 8.0)]  # 16 s, against 5.5
    assert batches.largest(2) == [(1, 8.0)]
    # Many short ones are longer together than the longest.
    short, long = DurationBatches([1] * 20 + [8], limit=21).largest()
    assert short == (18, pytest.approx(1.105, abs=1e-3))  # 18·1.126 = 20.3
    assert long == (1, 8.0)


durations = st.lists(st.floats(0.1, 40), min_size=1, max_size=120)


@given(durations, st.floats(5, 200), st.integers(1, 4), st.integers(1, 3), st.integers(0, 5), st.integers(0, 3))
def test_every_utterance_once_within_the_limit_the_same_number_on_every_process(
    seconds, limit, processes, accumulated, seed, epoch
):
    shares = []
    for process in range(processes):
        batches = DurationBatches(seconds, limit, processes * accumulated, processes, process, seed)
        batches.set_epoch(epoch)
        shares.append(list(batches))
        assert len(shares[-1]) == len(batches)
        assert len(batches) % accumulated == 0
    made = [batch for share in shares for batch in share]
    assert {i for batch in made for i in batch} == set(range(len(seconds)))
    distinct = {tuple(batch) for batch in made}
    assert sum(map(len, distinct)) == len(seconds)
    assert len(made) - len(distinct) < processes * accumulated  # a batch is seen again only to fill the last step
    for batch in made:
        assert len(batch) == 1 or cost(len(batch), max(seconds[i] for i in batch)) <= limit * (1 + 1e-9)
    # No part of a batch is larger than both of the largest, by padded seconds and by those times the duration.
    for parts in (1, 2, 4):
        largest = batches.largest(parts)
        for batch in made:
            utterances, longest = -(-len(batch) // parts), max(seconds[i] for i in batch)
            for power in (1, 2):
                assert utterances * longest**power <= max(n * s**power for n, s in largest) * (1 + 1e-9)
    # However they are divided over processes, the steps are made of the same batches.
    alone = DurationBatches(seconds, limit, processes * accumulated, 1, 0, seed)
    alone.set_epoch(epoch)
    flat = list(alone)
    per_step = processes * accumulated
    for step in range(len(flat) // per_step):
        mine = [b for share in shares for b in share[step * accumulated : (step + 1) * accumulated]]
        assert sorted(mine) == sorted(flat[step * per_step : (step + 1) * per_step])


def test_epochs_differ_and_a_seed_repeats_them():
    seconds = np.random.default_rng(0).uniform(1, 10, 300)
    batches = DurationBatches(seconds, 75, seed=3)
    first = list(batches)
    batches.set_epoch(1)
    second = list(batches)
    assert sorted(map(len, first)) == sorted(map(len, second))
    assert len({frozenset(b) for b in first} & {frozenset(b) for b in second}) <= 1  # the ends mix little
    again = DurationBatches(seconds, 75, seed=3)
    again.set_epoch(1)
    assert list(again) == second


def test_little_is_padding():
    seconds = np.random.default_rng(0).lognormal(1.2, 0.6, 2000).clip(0.5, 20)
    batches = list(DurationBatches(seconds, 75))
    padded = sum(len(b) * max(seconds[b]) for b in batches)
    # By the reasoning, at most (1 + 0.05)/(1 - 0.05) plus the width of a batch.
    assert padded / seconds.sum() < 1.08
    assert sum(map(len, batches)) / len(batches) > 10
