# frozen_string_literal: true

# The route that heartbeat.js asks who is logged in; lib/rollcall.rb explains it.
class RollcallController < ApplicationController
  skip_forgery_protection # the header is not one that a form can send
  prepend_before_action { @session_before = [session.id.to_s, session.to_hash] }

  # The cookie of a session that stays as it is would undo a login or logout that happens meanwhile.
  after_action { request.session_options[:skip] = true if @session_before == [session.id.to_s, session.to_hash] }

  def token
    response.headers["Cache-Control"] = "no-store"
    return head(:bad_request) unless request.headers["X-Rollcall"] == "renew"

    person = Rollcall.on? && instance_exec(&Rollcall.user)
    return head(:no_content) unless person

    session_key = rollcall_session
    case Rollcall.report(person, session_key, rollcall_address, request.user_agent)
    when :ok then render(json: { token: Rollcall.token(session_key) })
    when :ended
      instance_exec(&Rollcall.sign_out)
      rollcall_rename_session
      Rollcall.ended(session_key)
      head(:no_content)
    else head(:service_unavailable)
    end
  end
end
