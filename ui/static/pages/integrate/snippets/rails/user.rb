include Rollcall::Person # tells of changes

def to_rollcall
  { id: id, name: name, email: email, role: role, organization: company.name }
end
