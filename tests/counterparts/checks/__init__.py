"""One module for each counterpart: a sentence that says what it is, and `run(report, programs)`.

The order is that of a run; `strict_otlp` comes last, because it reads the bodies that the others left behind.
"""

ORDER = ("bars", "rie_classic", "rie_managed", "python_runtime", "fixtures", "rotel", "rotel_metrics", "metric_clients", "cargo_lambda", "strict_otlp")
