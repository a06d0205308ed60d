class HostController < ApplicationController
  PAGE = <<~ERB
    <!doctype html><html lang="en"><head><title>Host</title><%= rollcall_tag %></head><body><p id="who"><%= @user&.name %></p>
    <% if @next %><a id="back" href="/">Back</a><% else %>
    <% if @user %><% { logout: nil, password: :password, rename: :name, deactivate: :user, delete: nil }.each do |form, field| %>
    <%= form_tag "/\#{form}", id: form, enforce_utf8: false do %><% if field %><input name="<%= field %>"><% end %><button><%= form %></button><% end %>
    <% end %><% else %><%= form_tag "/login", id: "login", enforce_utf8: false do %><input name="name"><input name="password" type="password"><input name="remember" type="checkbox"><button>Log in</button><% end %><% end %>
    <a id="next" href="/next">Next</a><% end %></body></html>
  ERB

  before_action(except: :reset) { @user = current_user }
  after_action { response.status = 303 if response.status == 302 }

  def page
    render inline: PAGE
  end

  def next
    @next = true
    page
  end

  def before
    session.delete(:rollcall)
    render plain: "done"
  end

  def forget
    reset_session
    render plain: "done"
  end

  def reset
    User.connection.create_table(:users, force: true) do |t|
      %i[login name role password_digest remembered].each { |name| t.string name, default: "" }
      t.boolean :active, default: true
    end
    User.reset_column_information
    User.create!(id: 1, login: "ada", name: "Ada Lovelace", role: "editor", password_digest: "secret")
    User.create!(id: 2, login: "bob", name: "Bob Bold", role: "admin", password_digest: "secret")
    render plain: "done"
  end

  def login
    user = User.find_by(login: params[:name], password_digest: params[:password], active: true)
    return head(:unauthorized) unless user
    return if rollcall_refuses?(user.to_rollcall)

    reset_session
    session[:user] = user.id
    if params[:remember]
      cookies[:remember] = { value: SecureRandom.hex(20), httponly: true, expires: 1.month }
      user.update_columns(remembered: "#{user.remembered} #{cookies[:remember]}")
    end
    redirect_to "/"
  end

  def logout
    rollcall_logged_out
    log_out
    redirect_to "/"
  end

  def password
    @user&.update!(password_digest: params[:password])
    redirect_to "/"
  end

  def rename
    @user&.update!(name: params[:name])
    redirect_to "/"
  end

  def deactivate
    User.find(params[:user]).update_columns(active: false)
    Rollcall.deactivated(params[:user])
    redirect_to "/"
  end

  def delete
    @user&.destroy!
    log_out
    redirect_to "/"
  end
end
