curl -fsSo lib/rollcall.rb https://rollcall.example/clients/rails/rollcall.rb
curl -fsSo app/controllers/rollcall_controller.rb https://rollcall.example/clients/rails/rollcall_controller.rb
curl -fsSo app/controllers/concerns/rollcall_helpers.rb https://rollcall.example/clients/rails/rollcall_helpers.rb
