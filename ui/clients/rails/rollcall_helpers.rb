# frozen_string_literal: true

# What ApplicationController includes; lib/rollcall.rb explains it.
module RollcallHelpers
  extend ActiveSupport::Concern

  included do
    before_action { Rollcall::Current.controller = self }
    helper_method :rollcall_tag
  end

  private

  def rollcall_tag
    return unless Rollcall.on?

    helpers.tag.script(src: "#{Rollcall::URL}/heartbeat.js", data: { renew: "/rollcall/token" }, async: true)
  end

  # Whether somebody may not log in now; then the page that says why has been sent.
  def rollcall_refuses?(person)
    status, why = Rollcall.refusal(person)
    return false unless status

    response.headers["Cache-Control"] = "no-store"
    page = '<!doctype html><html lang="en"><title>Not now</title><h1>Not now</h1><p>%s</p><p><a href="">Try again</a></p></html>'
    render html: format(page, ERB::Util.html_escape(why)).html_safe, status: status, layout: false
    true
  end

  def rollcall_logged_out
    Rollcall.ended(rollcall_session) if Rollcall.on?
    rollcall_rename_session
  end

  # Rollcall's name for this session, the same for one login.
  def rollcall_session
    session[:rollcall] || Digest::SHA256.hexdigest("rollcall #{session.id}")
  end

  # nil where the session is somebody else's.
  def rollcall_session_of(user)
    person = instance_exec(&Rollcall.user)
    rollcall_session if person && person[:id].to_s == user.to_s
  end

  # What Rails says, which believes X-Forwarded-For from anybody, only behind config.action_dispatch.trusted_proxies.
  def rollcall_address
    proxies = Array(Rails.application.config.action_dispatch.trusted_proxies || ActionDispatch::RemoteIp::TRUSTED_PROXIES)
    proxies.any? { |proxy| proxy === request.remote_addr } ? request.remote_ip : request.remote_addr
  rescue IPAddr::Error, ActionDispatch::RemoteIp::IpSpoofAttackError
    request.remote_addr
  end

  # A login in the same session is another one.
  def rollcall_rename_session
    session[:rollcall] = SecureRandom.hex(32)
  end
end
