"""What the checks stand on: a collector, a stub of Lambda's APIs, kinglet as a process, the strict view of OTLP."""
