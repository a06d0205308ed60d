package api

import "rollcall/store"

// Account is somebody who may sign in to the panel by name and password.
type Account struct {
	ID            string       `json:"id"`
	Name          string       `json:"name"`
	Access        store.Access `json:"access"`
	CreatedAt     Time         `json:"created_at"`
	HasPassword   bool         `json:"has_password"`    // else nobody can sign in yet
	HasTOTP       bool         `json:"has_totp"`        // a sign-in asks for a code, too
	LinkExpiresAt *Time        `json:"link_expires_at"` // of the link by which the password can be chosen
}

// AccountOf is an account for an answer.
func AccountOf(a store.Account) Account {
	account := Account{ID: a.ID, Name: a.Name, Access: a.Access, CreatedAt: At(a.CreatedAt), HasPassword: a.HasPassword, HasTOTP: a.HasTOTP}
	if !a.LinkExpiresAt.IsZero() {
		account.LinkExpiresAt = new(At(a.LinkExpiresAt))
	}
	return account
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

// AccountInput is an account that is to be made: without a password it is invited.
type AccountInput struct {
	Name     string       `json:"name"`
	Password string       `json:"password"`
	Access   store.Access `json:"access"`
}

// CreatedAccount answers the request to make one.
type CreatedAccount struct {
	Account Account      `json:"account"`
	Link    *AccountLink `json:"link,omitempty"` // where it has no password
}

// AccountLink is a link by which somebody chooses the password of their account. It is shown once.
type AccountLink struct {
	Path      string `json:"path"` // below the panel's address; the secret is behind the #, which no browser sends
	ExpiresAt Time   `json:"expires_at"`
}

// AccountLinkOf is a link for an answer.
func AccountLinkOf(link store.AccountLink) AccountLink {
	return AccountLink{Path: "password#" + link.Secret, ExpiresAt: At(link.ExpiresAt)}
}

// CreatedLink answers the request to make one.
type CreatedLink struct {
	Link AccountLink `json:"link"`
}

// LinkSecret asks about a link.
type LinkSecret struct {
	Secret string `json:"secret"`
}

// LinkedAccount is whom a link is for.
type LinkedAccount struct {
	Name        string `json:"name"`
	HasPassword bool   `json:"has_password"` // else it is an invitation
}

// ChosenPassword uses a link.
type ChosenPassword struct {
	Secret   string `json:"secret"`
	Password string `json:"password"`
}

// PasswordChosen answers the use of a link.
type PasswordChosen struct {
	SignedIn bool `json:"signed_in"` // else a code of the authenticator app is needed, as for any sign-in
}

// PasswordChange is what somebody needs for another password of their own.
type PasswordChange struct {
	CurrentPassword string `json:"current_password"`
	Password        string `json:"password"`
}

// OwnAccount is what an account may know of itself.
type OwnAccount struct {
	Name          string `json:"name"`
	HasTOTP       bool   `json:"has_totp"`
	RecoveryCodes int    `json:"recovery_codes"` // that are left
}

// Confirmation is of whoever is signed in: what they are to prove again.
type Confirmation struct {
	Password string `json:"password"`
	TOTP     string `json:"totp"`
}

// NewTOTP is what an authenticator app needs to know.
type NewTOTP struct {
	Secret string `json:"secret"` // base32, to be typed
	URI    string `json:"uri"`
	QRCode string `json:"qr_code"` // the URI as an image: data:image/png;base64,...
}

// TOTPCode is a code of an authenticator app.
type TOTPCode struct {
	TOTP string `json:"totp"`
}

// RecoveryCodes are shown once.
type RecoveryCodes struct {
	RecoveryCodes []string `json:"recovery_codes"`
}

// SignIn begins a panel session: by name and password, or by the code of a one-time link.
type SignIn struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	TOTP     string `json:"totp"` // of the authenticator app, or a recovery code, once it is asked for
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
