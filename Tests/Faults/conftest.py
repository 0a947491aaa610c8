"""The hosts and clients of the end-to-end tests, for faults."""
import importlib.util
import sys
from pathlib import Path

END_TO_END = Path(__file__).resolve().parent.parent / "EndToEnd"
sys.path.insert(0, str(END_TO_END))
specification = importlib.util.spec_from_file_location("end_to_end_fixtures", END_TO_END / "conftest.py")
shared = importlib.util.module_from_spec(specification)
specification.loader.exec_module(shared)
kelvin, hosts = shared.kelvin, shared.hosts
pytest_configure, pytest_collection_modifyitems = shared.pytest_configure, shared.pytest_collection_modifyitems
