# A small application, without what is not of interest here.
require "rails"
require "action_controller/railtie"
require "active_record/railtie"

class Host < Rails::Application
  config.root = File.dirname(__dir__)
  config.load_defaults 6.1
  config.eager_load = false
  config.secret_key_base = "a secret of the tests"
  config.hosts.clear
  config.log_level = :warn
  config.logger = Logger.new($stderr, level: Logger::WARN)
  config.action_dispatch.trusted_proxies = [ENV.fetch("TRUSTED_PROXY", "127.0.0.2")].map { |proxy| IPAddr.new(proxy) }
  config.session_store :cookie_store, key: "session", same_site: :lax
  config.action_controller.allow_forgery_protection = !Rails.env.test?
end
Rails.application.initialize!
