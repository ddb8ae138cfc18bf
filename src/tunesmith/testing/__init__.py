"""Conformance suites: what every member of a family passes, ours and those of other packages. Needs pytest.

from tunesmith.testing.methods import MethodCases

class TestHalton(MethodCases):
    @pytest.fixture
    def method(self):
        return METHOD
"""
