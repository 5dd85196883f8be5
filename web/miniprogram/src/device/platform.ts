/** True in the browser build. UNI_PLATFORM is replaced at build time, so that the other branch is dropped. */
export const isH5 = process.env.UNI_PLATFORM === 'h5'
