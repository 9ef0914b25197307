"""The contract between the kit and a connector: values, errors and one abstract class; no input or output."""
