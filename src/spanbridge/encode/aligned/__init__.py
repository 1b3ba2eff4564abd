"""Files of the aligned encoder: differences to the embedded one's weights, and their record."""

from pathlib import Path

FOLDER = Path(__file__).parent
RECORD, ARRAYS = "aligned.json", "aligned.npz"
REMEDY = "install the package again"
REMEDY_OF_OTHERS = "make it anew, or copy it again"
