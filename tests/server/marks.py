"""The requirements that several files of tests prove."""

import pytest

limits = pytest.mark.requirement("http-limits")
bad_inputs = pytest.mark.requirement("bad-inputs")
