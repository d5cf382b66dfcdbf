"""Asks with exotelpy 0.1.1. Arguments: base URL, account sid, key, token. Prints what it was told."""

import json
import sys

from exotelpy import Exotel
from exotelpy.exceptions import PyexotelBaseException

base_url, sid, key, token = sys.argv[1:]
client = Exotel(sid, key, token, baseurl=base_url)


def told(question, *args, **kwargs):
    """The answer, or the exception that the client raises for its status."""
    try:
        return question(*args, **kwargs)
    except PyexotelBaseException as error:
        return f"{type(error).__name__}: {error}"


campaign = client.get_sms_campaign_sms_details
wrong = Exotel(sid, key, "wrong", baseurl=base_url)
foreign = Exotel("nobody", key, token, baseurl=base_url)
odd = Exotel(sid, key, "t-o-k-e-n", baseurl=base_url)
answers = {
    "message": told(client.get_sms_details, "s1"),
    "unknown": told(client.get_sms_details, "nobody"),
    "campaign": told(campaign, "diwali", limit=1, offset=1, sort_by="date_created:asc"),
    "whole_campaign": told(campaign, "diwali"),
    "bad_limit": told(campaign, "diwali", limit=0),
    "bad_path": told(client.get_sms_details, "s1/more"),
    "wrong_token": told(wrong.get_sms_campaign_sms_details, "diwali"),
    "odd_token": told(odd.get_sms_details, "s1"),
    "foreign_account": told(foreign.get_sms_details, "s1"),
}
for _ in range(50):
    answers["throttled"] = told(client.get_sms_details, "s1")
    if isinstance(answers["throttled"], str):
        break
print(json.dumps(answers))
