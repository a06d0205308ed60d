package api

import "rollcall/store"

// Account is somebody who may sign in to the panel by name and password.
type Account struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Access    store.Access `json:"access"`
	CreatedAt Time         `json:"created_at"`
}

// AccountOf is an account for an answer.
func AccountOf(a store.Account) Account {
	return Account{ID: a.ID, Name: a.Name, Access: a.Access, CreatedAt: At(a.CreatedAt)}
}

// Accounts are all there are.
type Accounts struct {
	Accounts []Account `json:"accounts"`
}

// AccountsOf are accounts for an answer: an empty list for none.
func AccountsOf(accounts []store.Account) []Account {
	answer := []Account{} // not nil: JSON must say [], never null
	for _, account := range accounts {
		answer = append(answer, AccountOf(account))
	}
	return answer
}

// AccountInput is an account that is to be made.
type AccountInput struct {
	Name     string       `json:"name"`
	Password string       `json:"password"`
	Access   store.Access `json:"access"`
}

// CreatedAccount answers the request to make one.
type CreatedAccount struct {
	Account Account `json:"account"`
}

// SignIn begins a panel session: by name and password, or by the code of a one-time link.
type SignIn struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	Code     string `json:"code"`
}

// SignOut ends a panel session, or all that the account has. A body may be left out.
type SignOut struct {
	Everywhere bool `json:"everywhere"`
}

// Setup makes the first account, with the code from the server's terminal.
type Setup struct {
	Code     string `json:"code"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

// SignedIn answers a sign-in. The session's token is in the cookie and nowhere else.
type SignedIn struct {
	User AccountUser `json:"user"`
}

// AccountUser is the account of a panel session.
type AccountUser struct {
	ID     string       `json:"id"`
	Name   string       `json:"name"`
	Access store.Access `json:"access"`
}

// Me is who has the session that asks, and what they claim of themselves.
type Me struct {
	User    User     `json:"user"`
	Session *Session `json:"session,omitempty"`      // none where the proxy in front says who it is
	SignOut string   `json:"sign_out_url,omitempty"` // where to sign out of that, if the server knows
	ShownStatus
}
