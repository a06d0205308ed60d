class ApplicationController < ActionController::Base
  include RollcallHelpers

  private

  def current_user
    user = User.find_by(id: session[:user], active: true)
    if !user && cookies[:remember].present? && (user = User.where(active: true).detect { |u| u.remembered.split.include?(cookies[:remember]) })
      reset_session
      session[:user] = user.id
    end
    user
  end

  def log_out
    user = current_user
    user&.update_columns(remembered: (user.remembered.split - [cookies[:remember]]).join(" "))
    cookies.delete(:remember)
    reset_session
  end
end
