# The project's own tests, in which Rollcall is off although it is configured.
from django.contrib.auth import get_user_model
from django.test import TransactionTestCase


class Pages(TransactionTestCase):
    def test_a_login(self):
        user = get_user_model().objects.create_user("ada", password="secret", first_name="Ada")
        self.assertEqual(self.client.post("/login", {"name": "ada", "password": "secret"}).status_code, 302)
        self.assertContains(self.client.get("/"), "Ada")
        self.assertNotContains(self.client.get("/"), "heartbeat")
        self.assertEqual(self.client.post("/rollcall/token", HTTP_X_ROLLCALL="renew").status_code, 204)
        user.first_name = "Augusta"
        user.save()
        self.assertEqual(self.client.post("/logout").status_code, 302)
        user.delete()
