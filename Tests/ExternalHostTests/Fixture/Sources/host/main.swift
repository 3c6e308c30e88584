import LCWCommands

LCWCommand.runAsProgram()
