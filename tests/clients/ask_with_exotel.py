"""Asks with exotel 0.1.5. Arguments: base URL, account sid, token. Prints what it was told.

The client sends the account's sid as the key.
"""

import json
import sys

from exotel import Exotel

base_url, sid, token = sys.argv[1:]
client = Exotel(sid, token, baseurl=f"{base_url}/")


def told(response):
    """The client hands out the response as it is."""
    return [response.status_code, response.json()]


answers = {
    "message": told(client.sms_details("s1")),
    "unknown": told(client.sms_details("nobody")),
    "wrong_token": told(Exotel(sid, "wrong", baseurl=f"{base_url}/").sms_details("s1")),
}
for _ in range(50):
    answers["throttled"] = told(client.sms_details("s1"))
    if answers["throttled"][0] != 200:
        break
print(json.dumps(answers))
