"""Which version of niquests this face answers for."""

__title__ = "niquests"
__description__ = "The niquests API on pabal's engine."
__url__ = "https://niquests.readthedocs.io"
#: The version of niquests whose names and behaviour these are; pabal's own is ``pabal.__version__``.
__version__ = "3.21.2"
__build__ = 0x032102
__author__ = "The pabal authors"
__author_email__ = ""
__license__ = "Apache-2.0"
__copyright__ = "Copyright the pabal authors"
__cake__ = "\u2728 \U0001f370 \u2728"
