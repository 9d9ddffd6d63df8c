# Install the build, then configure, build and run the consumer project against the installation alone.
file(REMOVE_RECURSE "${WORK}")
foreach(step IN ITEMS
        "--install;${BUILD};--component;cpp;--prefix;${WORK}/prefix"
        "-S;${CONSUMER};-B;${WORK}/build;-DCMAKE_PREFIX_PATH=${WORK}/prefix;-DCMAKE_CXX_COMPILER=${COMPILER};-DCMAKE_BUILD_TYPE=Release"
        "--build;${WORK}/build")
    execute_process(COMMAND "${CMAKE_COMMAND}" ${step} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
execute_process(COMMAND "${WORK}/build/consumer" COMMAND_ERROR_IS_FATAL ANY)
