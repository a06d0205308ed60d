MIDDLEWARE += ["project.rollcall.Middleware"]
TEMPLATES[0]["OPTIONS"]["context_processors"] += ["project.rollcall.script"]
ROLLCALL_PERSON = "project.people.describe"  # if you like: user -> {"role": ..., "organization": ..., "team": ...}
