class User < ActiveRecord::Base
  include Rollcall::Person

  def to_rollcall
    { id: id, name: name, email: "#{login}@example.org", role: role, organization: "Acme", team: "Engines" }
  end
end
