"""The function for awslambdaric: prints, logs, and raises if the event says so."""

import logging
import time

logger = logging.getLogger()
logger.setLevel(logging.INFO)
print("init: module import", flush=True)
time.sleep(0.05)  # Long enough for the sandbox to read the line before the first invocation starts.


def handler(event, context):
    print("print from handler", flush=True)
    logger.info("order %s", event["order"])
    logger.warning("first\nsecond")
    if event.get("boom"):
        raise ValueError("boom")
    return {"order": event["order"], "id": context.aws_request_id}
