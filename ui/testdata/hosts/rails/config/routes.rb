Rails.application.routes.draw do
  post "/rollcall/token", to: "rollcall#token"
  root "host#page"
  %w[next before forget reset].each { |name| get "/#{name}", to: "host##{name}" }
  %w[login logout password rename deactivate delete].each { |name| post "/#{name}", to: "host##{name}" }
end
