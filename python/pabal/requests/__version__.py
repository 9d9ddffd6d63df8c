"""Which version of requests this face answers for."""

__title__ = "requests"
__description__ = "The requests API on pabal's engine."
__url__ = "https://requests.readthedocs.io"
#: The version of requests whose names and behaviour these are; pabal's own is ``pabal.__version__``.
__version__ = "2.34.2"
__build__ = 0x023402
__author__ = "The pabal authors"
__author_email__ = ""
__license__ = "Apache-2.0"
__copyright__ = "Copyright the pabal authors"
__cake__ = "\u2728 \U0001f370 \u2728"
