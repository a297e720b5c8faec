"""axe-core's findings on a page: labels, names, contrast, headings."""


def findings(page, npm_packages, *passed_over):
    """Return the rule and the place of each violation on the page as it is shown now.

    Args:
        passed_over: rules that others' elements break.
    """
    page.evaluate((npm_packages / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    assert "color-contrast" in {rule["id"] for rule in found["passes"]}
    return [
        (violation["id"], node["target"], node["failureSummary"])
        for violation in found["violations"]
        if violation["id"] not in passed_over
        for node in violation["nodes"]
    ]
