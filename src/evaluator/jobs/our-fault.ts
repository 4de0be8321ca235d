/** What people are told of a failure of ours or of the database: its chain is for the log alone. */
export const OUR_FAULT = 'the evaluator failed; its log says why'
