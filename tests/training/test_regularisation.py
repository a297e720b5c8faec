from u2u_hf.training.arguments import CtcTrainingArguments


def test_the_hours_choose_the_regularisation():
    chosen = [CtcTrainingArguments(output_dir="x").regularisation(hours).mask_time for hours in (0.5, 5, 50)]
    assert chosen == sorted(chosen, reverse=True)
    assert len(set(chosen)) == 3
    assert CtcTrainingArguments(output_dir="x", mask_time=0.0).regularisation(5).mask_time == 0
