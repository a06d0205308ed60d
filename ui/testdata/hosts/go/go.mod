module host

go 1.26
