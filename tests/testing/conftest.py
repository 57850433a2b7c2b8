import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # right_plugin and wrong_plugins are modules beside the tests
