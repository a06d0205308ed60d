# The application's own tests, in which Rollcall is off although it is configured.
require_relative "config/environment"
require "minitest/autorun"
require "action_dispatch/testing/integration"

class PagesTest < ActionDispatch::IntegrationTest
  def test_a_login
    get "/reset"
    post "/login", params: { name: "ada", password: "secret" }
    assert_equal 303, status
    get "/"
    assert_includes body, "Ada Lovelace"
    refute_includes body, "heartbeat"
    post "/rollcall/token", headers: { "X-Rollcall" => "renew" }
    assert_equal 204, status
    post "/rename", params: { name: "Augusta" }
    post "/delete"
    assert_equal 303, status
  end
end
