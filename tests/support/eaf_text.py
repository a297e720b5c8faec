"""Text of ELAN files, built by hand."""

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation'


def document(*parts, version="3.0", schema=True, header="<HEADER/>"):
    location = f' {XSI}="http://www.mpi.nl/tools/elan/EAFv{version}.xsd"' if schema else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ANNOTATION_DOCUMENT AUTHOR="" DATE="2017-07-06T13:35:46+10:00" '
        f'FORMAT="{version}" VERSION="{version}"{location}>{header}{"".join(parts)}</ANNOTATION_DOCUMENT>'
    )


def slots(**times):
    """``slots(ts1=0, ts2=None)``: None for a slot without a time."""
    values = ((name, "" if time is None else f' TIME_VALUE="{time}"') for name, time in times.items())
    return f"<TIME_ORDER>{''.join(f'<TIME_SLOT TIME_SLOT_ID={name!r}{value}/>' for name, value in values)}</TIME_ORDER>"


def tier(name, *annotations, **attributes):
    given = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="{name}"{given}>{"".join(annotations)}</TIER>'


def aligned(key, start, end, value="", more=""):
    return (
        f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="{key}" TIME_SLOT_REF1="{start}" TIME_SLOT_REF2="{end}"'
        f"{more}><ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
    )


def referring(key, parent, value="", previous="", more=""):
    previous = f' PREVIOUS_ANNOTATION="{previous}"' if previous else ""
    return (
        f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="{key}" ANNOTATION_REF="{parent}"{previous}{more}>'
        f"<ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
    )
