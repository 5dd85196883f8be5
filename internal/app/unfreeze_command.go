package app

import (
	"github.com/spf13/cobra"

	"jiamenkou/internal/authz"
	"jiamenkou/service/ledger"
)

func (p *Program) unfreeze() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "unfreeze ACCOUNT", Args: cobra.ExactArgs(1),
		Short: "Let an account be used again that the nightly audit froze, once its difference is set right (an account as the audit names it)",
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(a *App) error {
				if err := a.requireMigrated(cmd.Context()); err != nil {
					return err
				}
				err := a.Assurance.Unfreeze(cmd.Context(), authz.System("command.unfreeze"), ledger.AccountID(args[0]), reason)
				if err != nil {
					return err
				}
				p.printf("Account %s can be used again.\n", args[0])
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "what was found and set right (2 to 200 characters; kept in the audit log)")
	return cmd
}
