"""Pictures and pages: diagrams, receptive fields, charts, the report and its live form."""
