# frozen_string_literal: true

# Rollcall in a Rails application (6.1 or later). Put this file into lib, rollcall_controller.rb into app/controllers and
# rollcall_helpers.rb into app/controllers/concerns. In config/initializers/rollcall.rb write
#
#   require Rails.root.join("lib/rollcall")
#   Rollcall.user = -> { current_user&.to_rollcall }   # in a controller: who is logged in, nil for nobody
#   Rollcall.sign_out = -> { log_out }                 # likewise: as your logout does, "remember me" too
#
# in config/routes.rb post "/rollcall/token", to: "rollcall#token", and in ApplicationController include RollcallHelpers.
# In the model of your users, include Rollcall::Person tells of changes, and a method to_rollcall returns
# {id:, name:, email:, role:, organization:, team:}. Every page has <%= rollcall_tag %> in its head. In your controllers:
#
#   return if rollcall_refuses?(user.to_rollcall)      # before a login: a page that says why is sent
#   rollcall_logged_out                                # before the session is reset
#   Rollcall.deactivated(user.id)
#
# It does nothing without ROLLCALL_URL and ROLLCALL_KEY in the environment, and in tests. No call raises, or takes longer
# than a second.
require "json"
require "net/http"
require "openssl"
require "securerandom"
require "timeout"

module Rollcall
  URL = ENV.fetch("ROLLCALL_URL", "").chomp("/")
  KEY = ENV.fetch("ROLLCALL_KEY", "")

  class Current < ActiveSupport::CurrentAttributes
    attribute :controller
  end

  class << self
    attr_accessor :user, :sign_out

    def on?
      !URL.empty? && !KEY.empty? && !Rails.env.test?
    end

    # The same each time for one session, and nobody else can find it out.
    def token(session)
      OpenSSL::HMAC.hexdigest("SHA256", KEY, session)
    end

    # :ok, :ended where the person is to be signed out, or :unavailable.
    def report(person, session, address, agent)
      answer = call(:Post, "/admin/sessions", { user: told(person), session_key: session, session_token: token(session),
                                                ip_address: address.to_s, user_agent: agent.to_s }, "session_ended")
      return :ended if answer["code"]

      answer.empty? ? :unavailable : :ok
    end

    # The status and the words for somebody who may not log in now, nil for anybody else.
    def refusal(person)
      answer = call(:Post, "/admin/sessions/may", { user: told(person) }, "draining", "session_limit")
      case answer["code"]
      when "draining" then [503, answer["error"]]
      when "session_limit" then [409, "You are logged in as often as you may be. Log out elsewhere first."]
      end
    end

    def ended(session)
      call(:Post, "/admin/sessions/end", { session_key: session })
    end

    def deactivated(id)
      call(:Post, "/admin/sessions/end", { user: id.to_s, reason: "revoked" })
    end

    def deleted(id)
      answer = call(:Delete, "/admin/users/#{ERB::Util.url_encode(id.to_s)}", nil, "forbidden", "not_found")
      deactivated(id) if answer["code"] == "forbidden" # another application has them too
    end

    def updated(user)
      changes = user.saved_changes.keys - %w[updated_at remember_created_at sign_in_count current_sign_in_at last_sign_in_at current_sign_in_ip last_sign_in_ip]
      password = changes & %w[password_digest encrypted_password]
      return if changes.empty? || !on?

      unless password.empty?
        own = Current.controller&.send(:rollcall_session_of, user.id)
        call(:Post, "/admin/sessions/end", { user: user.id.to_s, reason: "password_changed", except_token: own && token(own) }.compact)
      end
      call(:Put, "/admin/users/#{ERB::Util.url_encode(user.id.to_s)}", told(user.to_rollcall)) unless (changes - password).empty?
    end

    private

    def told(person)
      texts = person.slice(:name, :email, :role, :organization, :team).compact
      { id: person[:id].to_s }.merge(texts.transform_values { |text| text.to_s[0, 200] })
    end

    # What Rollcall answers, {} where that can not be had within a second.
    def call(verb, path, body, *codes)
      return {} unless on?

      uri = URI(URL + path)
      request = Net::HTTP.const_get(verb).new(uri, "Authorization" => "Bearer #{KEY}", "Content-Type" => "application/json")
      request.body = body.to_json if body
      response = Timeout.timeout(1) { Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") { |http| http.request(request) } }
      answer = JSON.parse(response.body)
      known = answer.is_a?(Hash) && answer.key?("success") && (answer["success"] == true || codes.include?(answer["code"]))
      raise "#{response.code} #{response.body.to_s[0, 200]}" unless known

      @failing = false
      answer
    rescue StandardError => e
      Rails.logger.warn("Rollcall: #{e.message}. People may be missing from its list; nobody is kept out.") unless @failing
      @failing = true
      {}
    end
  end

  # For the model of users.
  module Person
    def self.included(model)
      model.after_update_commit { Rollcall.updated(self) }
      model.after_destroy_commit { Rollcall.deleted(id) }
    end
  end
end
