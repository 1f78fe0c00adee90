package cli

// serverCommands is empty: on Windows there is only the client.
type serverCommands struct{}
